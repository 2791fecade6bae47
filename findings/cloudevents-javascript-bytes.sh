#!/bin/sh
# JavaScript's `cloudevents` takes typed arrays for data and sends other bytes: of each element its lowest eight bits.
#
# Version: cloudevents 10.0.0 (npm), Node 20.20.2.
# Behaviour: data in a `Uint8Array` becomes `data_base64` of its bytes. A `Uint16Array` or `Uint32Array` is taken just so,
#   and each element becomes one byte, the element modulo 256: 256 is sent as 0. An `ArrayBuffer` is sent as `{}`. Nothing
#   is refused; the event is valid, and is not what it was made of.
# Output seen:
#   Uint8Array [104,105] is sent as bytes [104,105]
#   Uint16Array [104,256] is sent as bytes [104,0]
#   Uint32Array [104,65537] is sent as bytes [104,1]
#   ArrayBuffer of 2 bytes is sent as data {}
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
script=$(realpath "$0")
cd "$place"
npm install --silent --no-audit --no-fund cloudevents@10.0.0 > npm.log 2>&1
cat > show.mjs <<'JAVASCRIPT'
import { CloudEvent, HTTP } from "cloudevents";
const sent = (data) => JSON.parse(HTTP.structured(new CloudEvent({ id: "1", source: "/s", type: "t", data })).body);
for (const data of [new Uint8Array([104, 105]), new Uint16Array([104, 256]), new Uint32Array([104, 65537])]) {
  const bytes = JSON.stringify([...Buffer.from(sent(data).data_base64, "base64")]);
  console.log(`${data.constructor.name} ${JSON.stringify([...data])} is sent as bytes ${bytes}`);
}
console.log(`ArrayBuffer of 2 bytes is sent as data ${JSON.stringify(sent(new ArrayBuffer(2)).data)}`);
JAVASCRIPT
node show.mjs | tee seen
sed -n 's/^#   \([A-Z][A-Za-z0-9]* .*is sent as .*\)/\1/p' "$script" | diff - seen
