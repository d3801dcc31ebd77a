/** Whether JSON.parse accepts it: our own parser must agree. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
