/** Whether JSON.parse takes it: what the project's own parser is held to. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
