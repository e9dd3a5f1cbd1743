// node's `soap` as a client of MTOM: stores a page that travels beside the envelope, then fetches it.
// Reads {wsdl, address, page} from standard input, the page as base64, and prints what came of it as JSON.

import { text } from "node:stream/consumers";
import soap from "soap";

const { wsdl, address, page } = JSON.parse(await text(process.stdin));
const options = { endpoint: address, parseReponseAttachments: true };
const client = await soap.createClientAsync(wsdl, options, address);
const include = {
  "xop:Include": { attributes: { "xmlns:xop": "http://www.w3.org/2004/08/xop/include", href: "cid:page-1" } },
};
const attachments = [
  { mimetype: "image/png", contentId: "page-1", name: "page.png", body: Buffer.from(page, "base64") },
];
const [stored] = await client.StoreAsync({ No: "7", Page: [include] }, { attachments, timeout: 10_000 });
const [fetched, , , , parts] = await client.FetchAsync({ No: "7" }, { forceMTOM: true, timeout: 10_000 });
const pages = (parts?.parts ?? []).map((part) => ({
  id: part.headers["content-id"],
  page: Buffer.from(part.body).toString("base64"),
}));
console.log(JSON.stringify({ stored, fetched, pages }));
