"""What jq makes of files of NDJSON, all of their lines in one list: usage: jq_says.py PROGRAM FILE..."""

import json
import pathlib
import sys

import jq

program, *files = sys.argv[1:]
lines = [line for file in files for line in pathlib.Path(file).read_text().splitlines()]
print(json.dumps(jq.compile(program).input_text(f"[{','.join(lines)}]").first()))
