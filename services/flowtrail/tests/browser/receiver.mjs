// A web hook's receiver that remembers what it was given, and refuses what it is told to refuse.

import http from "node:http";
import { text } from "node:stream/consumers";

/** Calls `use` with a receiver, and ends it. */
export async function withReceiver(use) {
  const receiver = { bodies: [], refused: null, url: "" };
  const server = http.createServer(async (request, response) => {
    const body = await text(request);
    if (receiver.refused !== null && body.includes(receiver.refused)) {
      response.writeHead(422).end("not this one");
      return;
    }
    receiver.bodies.push(body);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  receiver.url = `http://127.0.0.1:${server.address().port}/hook`;
  /** How many requests with this text it took. */
  receiver.has = (part) => receiver.bodies.filter((body) => body.includes(part)).length;
  try {
    return await use(receiver);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
