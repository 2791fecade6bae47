/** JSON laid out for reading. The text is never parsed: numbers stay as they were written, however long they are. */

export function indented(json: string): string {
  let depth = 0;
  // A string whole, or a sign that opens, closes or parts something, or what stands between them.
  return json.replace(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|\s+/g, (piece) => {
    switch (piece) {
      case "{":
      case "[":
        depth += 1;
        return piece + line(depth);
      case "}":
      case "]":
        depth -= 1;
        return line(depth) + piece;
      case ",":
        return piece + line(depth);
      case ":":
        return ": ";
      default:
        return piece.trim();
    }
  });
}

const line = (depth: number): string => `\n${"  ".repeat(depth)}`;
