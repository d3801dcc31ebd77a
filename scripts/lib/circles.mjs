/**
 * The circles of a graph: strongly connected components of more than one node, found by Tarjan's algorithm.
 *
 * @param {Map<string, string[]>} arrows the nodes that each node leads to
 * @returns {string[][]} the members of each circle
 */
export function circles(arrows) {
  const found = [];
  const seen = new Map();
  const open = [];
  const visit = (node) => {
    const number = seen.size;
    let lowest = number;
    seen.set(node, number);
    open.push(node);
    for (const next of arrows.get(node) ?? []) {
      if (!seen.has(next)) lowest = Math.min(lowest, visit(next));
      else if (open.includes(next)) lowest = Math.min(lowest, seen.get(next));
    }
    if (lowest === number) {
      const members = open.splice(open.indexOf(node));
      if (members.length > 1) found.push(members.sort());
    }
    return lowest;
  };
  for (const node of arrows.keys()) if (!seen.has(node)) visit(node);
  return found;
}
