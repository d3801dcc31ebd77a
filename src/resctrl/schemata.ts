/**
 * Compares schemata (`L3:0=7f0;1=1f`) by meaning: order, blanks and leading zeros do not matter, and domains that are
 * not asked for may have any value.
 *
 * @param wanted lines of the config
 * @param present the group's schemata file
 * @returns the first difference in words; undefined if there is none
 */
export function schemataConflict(wanted: string, present: string): string | undefined {
  const have = new Map(domains(present));
  for (const [domain, value] of domains(wanted)) {
    const found = have.get(domain);
    if (found === value) continue;
    return found === undefined ? `it has no ${domain}` : `${domain} is ${found}, not ${value}`;
  }
  return undefined;
}

/** `['L3:0', '7f0']` for each domain of each line. */
function domains(text: string): [string, string][] {
  return text.split('\n').flatMap((line) => {
    const [resource = '', list = ''] = line.split(':', 2);
    return list
      .split(';')
      .filter((entry) => entry.trim() !== '')
      .map((entry): [string, string] => {
        const [id = '', value = ''] = entry.split('=', 2);
        return [
          `${resource.trim()}:${Number(id)}`,
          value
            .trim()
            .toLowerCase()
            .replace(/^0+(?=.)/, ''),
        ];
      });
  });
}
