// Runs beside the Node client of npm and does with it what the lines of its input say; see tests.clients.node.
//
// Every line is a JSON object: a call with `reference`, `input` and `way` (pipe or pipeJson), or a data operation with `path`,
// `method` and `arguments`. Buffers come and go as {"base64": ...}. Every answer is one, with what was returned or raised.
"use strict";

const readline = require("readline");
const algorithmia = require(process.argv[2]);

const client = algorithmia.client();

function given(value) {
  return value && typeof value === "object" && "base64" in value ? Buffer.from(value.base64, "base64") : value;
}

function told(value) {
  return Buffer.isBuffer(value) ? { base64: value.toString("base64") } : value === undefined ? null : value;
}

function answer(document) {
  process.stdout.write(JSON.stringify(document) + "\n");
}

function call(asked) {
  client.algo(asked.reference)[asked.way || "pipe"](given(asked.input)).then((response) => {
    try {
      answer({ returned: told(response.get()), status: response.status, metadata: response.metadata });
    } catch (error) {
      answer({ raised: String(error), status: response.status });
    }
  });
}

function data(asked) {
  const plain = asked.arguments.map(given);
  client[asked.kind](asked.path)[asked.method](...plain, (...came) => answer({ returned: came.map(told) }));
}

function list(asked) {
  const found = [];
  client.dir(asked.path).forEach((error, entry) => found.push(error ? { error } : entry.basename()))
    .then(() => answer({ returned: found }));
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  if ("reference" in asked) call(asked);
  else if (asked.method === "forEach") list(asked);
  else data(asked);
});
