// An old client on node's `soap`: reads jobs from standard input as JSON and prints what came of each call.
// A job is {wsdl, address, version, document, calls: [{operation, arguments, header}]}.

import { text } from "node:stream/consumers";
import soap from "soap";

/** JSON as the gateway maps it, as this stack wants it: attributes stand apart. */
function given(value) {
  if (Array.isArray(value)) return value.map(given);
  if (value === null || typeof value !== "object") return value;
  const made = {};
  for (const [key, each] of Object.entries(value)) {
    if (key.startsWith("@")) (made.attributes ??= {})[key.slice(1)] = each;
    else made[key] = given(each);
  }
  return made;
}

async function called(client, call) {
  client.clearSoapHeaders();
  for (const [name, value] of Object.entries(call.header ?? {}))
    client.addSoapHeader({ [name]: value }, "", "loans", "urn:example:loans");
  try {
    const [result, , header] = await client[`${call.operation}Async`](given(call.arguments), { timeout: 10_000 });
    return { result: result ?? null, header: header ?? null };
  } catch (error) {
    if (!error.root) throw new Error(`${call.operation}: ${error.message}`); // the whole of it is very long
    const { Fault } = error.root.Envelope.Body;
    const [code, reason] = [Fault.faultcode ?? Fault.Code.Value, Fault.faultstring ?? Fault.Reason.Text];
    return { fault: { code, reason: reason.$value ?? reason, detail: Fault.detail ?? Fault.Detail ?? null } };
  }
}

const told = [];
for (const job of JSON.parse(await text(process.stdin))) {
  const options = { endpoint: job.address, forceSoap12Headers: job.version === "1.2" };
  const client = await soap.createClientAsync(job.wsdl, options, job.address);
  const results = [];
  for (const call of job.calls) results.push(await called(client, call));
  told.push(results);
}
console.log(JSON.stringify(told));
