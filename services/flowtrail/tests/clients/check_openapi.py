"""Runs schemathesis over a dialect's OpenAPI description, the same requests each time.

    check_openapi.py --url http://127.0.0.1:8080 --token ft_... --description schemas/dialects/netbird-openapi.yml

Exits with the status of schemathesis: 0 when no answer was a server error or outside the description.
The description may also be a path at the URL, such as /openapi.json.
For NetBird, the account's audit log may hold events with NetBird's activity codes only, for its description lists them.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

import yaml

from facts import arguments, parsed

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--description", required=True, help="the OpenAPI file, or a path at the URL")
    parser.add_argument("--examples", type=int, default=100, help="random requests per operation")
    parser.add_argument("--ends-token", metavar="ID", help="an operation that ends the token: it is checked last")
    options = parsed(parser)
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(checked(options, pathlib.Path(directory)))


def checked(options, directory):
    description = pathlib.Path(options.description).resolve()
    if not description.exists():
        with urllib.request.urlopen(options.url + options.description, timeout=10) as answer:
            description = directory / "openapi.json"
            description.write_bytes(answer.read())
    runs = [[]]
    if options.ends_token:
        runs = [["--exclude-operation-id", options.ends_token], ["--include-operation-id", options.ends_token]]
    for selection in runs:
        status = run(options, description, directory, selection)
        if status != 0:
            return status
    return 0


def run(options, description, notes, selection):
    # The paths stand below that of the description's own server.
    server = yaml.safe_load(description.read_text())["servers"][0]["url"]
    base = options.url + urllib.parse.urlparse(server).path.rstrip("/")
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")),
        *["--config-file", str(HERE / "schemathesis.toml"), "run", str(description), *selection],
        *["--url", base, "--header", f"Authorization: Token {options.token}"],
        # What is acceptable is more than the descriptions say, such as which keys a platform's config has.
        *["--exclude-checks", "positive_data_acceptance"],
        *["--generation-deterministic"],
        *["--max-examples", str(options.examples), "--continue-on-failure", "--no-color"],
    ]
    # It leaves notes for repeating a failure in its working directory.
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py")}
    return subprocess.run(command, cwd=notes, env=environment).returncode


if __name__ == "__main__":
    main()
