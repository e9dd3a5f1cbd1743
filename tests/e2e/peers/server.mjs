// The invented library on node's `soap`: `node server.mjs PORT`. The path chooses the port of the WSDL: /loans and
// /loans12 are document/literal, /loans-rpc is rpc/literal and /loans-encoded rpc/encoded.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import soap from "soap";

const here = (name) => new URL(name, import.meta.url).pathname;
const LOANS = "urn:example:loans";
const library = JSON.parse(readFileSync(here("library.json"), "utf8"));

/** What null becomes: by itself this stack writes xsi:nil and forgets to declare xsi, which only the gateway forgives. */
const nil = { "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:nil": "true" };

/** JSON as the gateway maps it, as this stack wants it: attributes stand apart. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null) return { attributes: nil };
  if (typeof value !== "object") return value;
  const made = {};
  for (const [key, each] of Object.entries(value)) {
    if (key.startsWith("@")) (made.attributes ??= {})[key.slice(1)] = each;
    else made[key] = plain(each);
  }
  return made;
}

/** A value that came with an xsi:type or without. */
const typed = (value) => value.$value ?? value;
const found = (text) => library.titles.filter((each) => each.name.includes(text)).map(plain);
const item = ({ name, price, published }) => ({ name, price, published });
const cover = () => Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 31) % 256));

/** The declared fault: of SOAP 1.1 in both versions, because this stack puts its own prefix on details of 1.2. */
function notFound(id) {
  const detail = {
    LoanNotFound: { attributes: { xmlns: LOANS }, id, reason: "no such loan", checkedOn: "2026-03-01" },
  };
  return { Fault: { faultcode: "soap:Client", faultstring: "There is no such loan.", detail, statusCode: 500 } };
}

const operations = {
  FindTitles: ({ text }) => ({ titles: { title: found(text) } }),
  FindItems: ({ text }) => ({ items: { item: found(typed(text)).map(item) } }),
  PriceItem: ({ item: { price } }) => ({ price: typed(price) }),
  GetLoan({ id }) {
    if (!(id in library.loans)) throw notFound(id);
    return { loan: plain(library.loans[id]) };
  },
  RecordLoan: ({ loan }) => ({ loan: plain(loan) }),
  RenewLoan: ({ until }) => ({ until }),
  GetCover: () => ({ image: cover().toString("base64") }),
  PutCover: ({ image }) => ({ digest: createHash("sha1").update(Buffer.from(image, "base64")).digest("hex") }),
  OpenUntil: () => ({ at: library.open_until }),
};

/** The header block that goes with RenewLoan. */
function receipt(operation, given, headers) {
  if (operation !== "RenewLoan") return "";
  return { Receipt: { number: given.id, desk: headers?.Counter?.desk ?? "nobody" } };
}

const served = Object.fromEntries(
  Object.entries(operations).map(([name, answer]) => [name, async (given) => answer(given ?? {})]),
);
const ports = { Loans11: served, Loans12: served, LoansRpc: served, LoansEncoded: served };
const server = createServer((_, response) => response.writeHead(404).end());

/** Serves a WSDL at a path. Dates stay text: this stack reads them as Date, and writes a Date as nothing. */
const mounted = (path, wsdl, forceSoap12Headers) =>
  new Promise((resolve, reject) => {
    const file = here(`${wsdl}.wsdl`);
    const asText = { date: (text) => text, dateTime: (text) => text };
    const callback = (error) => (error ? reject(error) : resolve());
    const xml = readFileSync(file, "utf8");
    const habits = { forceSoap12Headers, customDeserializer: asText, handleNilAsNull: true };
    const listening = soap.listen(server, { path, services: { Loans: ports }, xml, uri: file, callback, ...habits });
    listening.addSoapHeader(receipt, "", "loans", LOANS);
  });

await mounted("/loans", "loans", false);
await mounted("/loans12", "loans", true);
await mounted("/loans-rpc", "loans-rpc", false);
await mounted("/loans-encoded", "loans-encoded", false);
server.listen(Number(process.argv[2]), "127.0.0.1");
