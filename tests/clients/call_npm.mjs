// Speaks to a server through a release of @zeldafan0225/ai_horde. What to call comes as JSON on standard input:
// {folder, package, options, method, args}; what came back, or was thrown, goes out as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const asked = JSON.parse(readFileSync(0, "utf8"));
const loaded = createRequire(`${asked.folder}/package.json`)(asked.package);
// Release 4 exports the class itself.
const Client = loaded.AIHorde ?? loaded;
const { ratings } = new Client(asked.options);

function told(error) {
  const { name, message, status, error_code: code, errors, rawError: raw } = error;
  return { kind: error.constructor.name, name, message, status, code, errors, raw };
}

let outcome;
try {
  outcome = { value: await ratings[asked.method](...asked.args) };
} catch (error) {
  outcome = { thrown: told(error) };
}
console.log(JSON.stringify(outcome));
