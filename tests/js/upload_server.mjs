/**
 * What the uploads need of the other end, for tests: an HTTP server that answers as POST /api/photos does, with faults
 * on demand, and the part of XMLHttpRequest that the transport uses, over node's own HTTP.
 */
import { createHash } from "node:crypto";
import { createServer, request as httpRequest } from "node:http";

/** The file inside a multipart body with one part. */
function fileOf(body) {
  const from = body.indexOf("\r\n\r\n") + 4;
  const boundary = body.subarray(0, body.indexOf("\r\n"));
  return body.subarray(from, body.lastIndexOf(boundary) - 2);
}

/**
 * @returns {Promise<{url, stored: Map<string, object>, requests: string[], faults: Array, close: () => Promise<void>}>}
 *   faults: one is taken off for each request, null for none: {dropAt: 0..1} of the body,
 *   {loseAnswer: true} after storing, {status, message}, {page: true} an answer that is no JSON
 */
export async function startServer() {
  const stored = new Map(); // sha256 → photo
  const requests = [];
  const faults = [];
  const server = createServer((incoming, outgoing) => {
    const fault = faults.shift() ?? null;
    const expected = Number(incoming.headers["content-length"]);
    const parts = [];
    let received = 0;
    requests.push(incoming.headers["x-csrftoken"] ?? "");
    incoming.on("error", () => {});
    incoming.on("data", (data) => {
      parts.push(data);
      received += data.length;
      if (fault?.dropAt !== undefined && received >= expected * fault.dropAt) incoming.socket.destroy();
    });
    incoming.on("end", () => {
      if (fault?.status) return answer(outgoing, fault.status, fault.page ? "<h1>Bad gateway</h1>" : JSON.stringify({ error: { code: "x", message: fault.message, fields: {} } }));
      const sha256 = createHash("sha256").update(fileOf(Buffer.concat(parts))).digest("hex");
      if (!stored.has(sha256)) stored.set(sha256, { id: stored.size + 1, url: "/media/a.jpg", thumb: "/media/a.webp", width: 4, height: 3, colour: "#888", sha256 });
      if (fault?.loseAnswer) return incoming.socket.destroy();
      answer(outgoing, 201, JSON.stringify(stored.get(sha256)));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/api/photos`;
  return { url, stored, requests, faults, close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))) };
}

function answer(outgoing, status, body) {
  outgoing.writeHead(status, { "Content-Type": "application/json" });
  outgoing.end(body);
}

const CHUNK = 4096;

export class NodeXHR extends EventTarget {
  upload = new EventTarget();
  headers = {};
  status = 0;
  responseText = "";

  open(method, url) {
    Object.assign(this, { method, url });
  }

  setRequestHeader(name, value) {
    this.headers[name] = value;
  }

  async send(form) {
    const encoded = new Response(form);
    const body = Buffer.from(await encoded.arrayBuffer());
    if (this.ended) return;
    const headers = { ...this.headers, "Content-Type": encoded.headers.get("content-type"), "Content-Length": body.length };
    this.request = httpRequest(this.url, { method: this.method, headers, agent: false }, async (response) => {
      try {
        for await (const part of response) this.responseText += part;
      } catch {
        return this.end("error");
      }
      this.status = response.statusCode;
      this.end("load");
    });
    this.request.on("error", () => this.end("error"));
    for (let at = 0; at < body.length && !this.ended; at += CHUNK) {
      await new Promise((resolve) => this.request.write(body.subarray(at, at + CHUNK), () => setImmediate(resolve)));
      this.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded: Math.min(body.length, at + CHUNK), total: body.length }));
    }
    this.request.end();
  }

  abort() {
    this.end("abort");
    this.request?.destroy();
  }

  end(kind) {
    if (this.ended) return;
    this.ended = true;
    this.dispatchEvent(new Event(kind));
  }
}
