"""usage: draw.py SOURCE > PICTURE

Draws boxes on a grid and the arrows between them, as SVG. The same source always gives the same bytes.
"""

import re
import sys
from html import escape

WIDTH, HEIGHT = 176, 64
BETWEEN_COLUMNS, BETWEEN_ROWS = 64, 26
MARGIN, LINE = 12, 17

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #334155; text-anchor: middle }
  .title { font-weight: 600; font-size: 14px; fill: #0f172a }
  .box { fill: #f8fafc; stroke: #64748b }
  .arrow { stroke: #2563eb; stroke-width: 1.5; marker-end: url(#head) }
  .head { fill: #2563eb }
  @media (prefers-color-scheme: dark) {
    text { fill: #cbd5e1 } .title { fill: #f1f5f9 } .box { fill: #1e293b; stroke: #94a3b8 }
    .arrow { stroke: #60a5fa } .head { fill: #60a5fa }
  }
"""


class Box:
    def __init__(self, column, row, height, lines):
        self.left = MARGIN + column * (WIDTH + BETWEEN_COLUMNS)
        self.top = MARGIN + row * (HEIGHT + BETWEEN_ROWS)
        self.height = height * HEIGHT + (height - 1) * BETWEEN_ROWS
        self.right, self.bottom = self.left + WIDTH, self.top + self.height
        self.lines = lines

    def drawn(self):
        x = self.left + WIDTH // 2
        y = self.top + self.height // 2 - (len(self.lines) - 1) * LINE // 2 + 5
        yield f'<rect class="box" x="{self.left}" y="{self.top}" width="{WIDTH}" height="{self.height}" rx="8"/>'
        for number, line in enumerate(self.lines):
            kind = "" if number else ' class="title"'
            yield f'<text{kind} x="{x}" y="{y + number * LINE}">{escape(line)}</text>'


def arrow(start, end, text):
    """From left to right, at the height of the smaller box."""
    smaller = min(start, end, key=lambda box: box.height)
    y = smaller.top + smaller.height // 2
    yield f'<line class="arrow" x1="{start.right}" y1="{y}" x2="{end.left - 7}" y2="{y}"/>'
    yield f'<text x="{(start.right + end.left) // 2}" y="{y - 6}">{escape(text)}</text>'


def draw(source):
    title, boxes, parts = "", {}, []
    for line in source.splitlines():
        if line.startswith("title "):
            title = line.removeprefix("title ")
        elif found := re.fullmatch(r"box (\w+) (\d+) (\d+) (\d+): (.+)", line):
            name, *numbers, text = found.groups()
            boxes[name] = Box(*map(int, numbers), [part.strip() for part in text.split("|")])
            parts += boxes[name].drawn()
        elif found := re.fullmatch(r"arrow (\w+) (\w+): (.+)", line):
            start, end, text = found.groups()
            parts += arrow(boxes[start], boxes[end], text)
        elif line and not line.startswith("#"):
            sys.exit(f"draw.py: cannot read {line!r}")
    width = max(box.right for box in boxes.values()) + MARGIN
    height = max(box.bottom for box in boxes.values()) + MARGIN
    head = '<marker id="head" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<defs>{head}<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>',
            *parts,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(draw(file.read()))
