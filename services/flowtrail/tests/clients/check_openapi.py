"""Runs schemathesis over a dialect's OpenAPI description, NetBird's unless told, the same requests each time.

    check_openapi.py --url http://127.0.0.1:8080 --token ft_...

Exits with the status of schemathesis: 0 when no answer was a server error or outside the description.
For NetBird's, the account's audit log may hold events with its activity codes only, for the description lists them.
"""

import pathlib
import subprocess
import sys
import tempfile

from facts import arguments, parsed

HERE = pathlib.Path(__file__).resolve().parent
DESCRIPTION = HERE.parents[3] / "schemas" / "dialects" / "netbird-openapi.yml"


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--description", default=DESCRIPTION, help="the OpenAPI file")
    parser.add_argument("--examples", type=int, default=100, help="random requests per operation")
    options = parsed(parser)
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")),
        *["--config-file", str(HERE / "schemathesis.toml"), "run", str(pathlib.Path(options.description).resolve())],
        *["--url", options.url, "--header", f"Authorization: Token {options.token}"],
        # Whether a platform's config is acceptable is more than the description says.
        *["--exclude-checks", "positive_data_acceptance"],
        *["--generation-deterministic"],
        *["--max-examples", str(options.examples), "--continue-on-failure", "--no-color"],
    ]
    # It leaves notes for repeating a failure in its working directory.
    with tempfile.TemporaryDirectory() as notes:
        sys.exit(subprocess.run(command, cwd=notes).returncode)


if __name__ == "__main__":
    main()
