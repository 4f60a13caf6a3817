/**
 * Drafts in the account, for merchants who switched that on: text only, photos stay on the device. No DOM.
 * Every answer is plain: {status: "saved"|"conflict"|"none"|"found"|"offline"|"failed", …}.
 */

export function createSync({ url, csrfToken, fetcher = (...args) => fetch(...args) }) {
  const address = (key) => `${url}${encodeURIComponent(key)}`;

  async function ask(key, options) {
    let response;
    try {
      response = await fetcher(address(key), {
        credentials: "same-origin",
        ...options,
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken },
      });
    } catch {
      return { status: "offline" };
    }
    let body = null;
    try {
      body = await response.json();
    } catch {
      // An empty answer is fine (204), and an error page is told by its status.
    }
    return { code: response.status, body };
  }

  return {
    /** @param {number} baseVersion the account's version that this text is based on; 0 creates */
    async push(key, baseVersion, data) {
      const answer = await ask(key, { method: "PUT", body: JSON.stringify({ base_version: baseVersion, data }) });
      if (answer.status) return answer;
      if (answer.code === 200 || answer.code === 201) return { status: "saved", version: answer.body.version };
      const current = answer.body?.current ?? answer.body?.error?.current;
      if (answer.code === 409 && current) return { status: "conflict", current };
      return { status: "failed", message: answer.body?.error?.message ?? `The account answered ${answer.code}.` };
    },
    async pull(key) {
      const answer = await ask(key, { method: "GET" });
      if (answer.status) return answer;
      if (answer.code === 404) return { status: "none" };
      if (answer.code === 200) return { status: "found", current: answer.body };
      return { status: "failed", message: `The account answered ${answer.code}.` };
    },
    async remove(key) {
      const answer = await ask(key, { method: "DELETE" });
      return answer.status ? answer : { status: answer.code < 300 || answer.code === 404 ? "saved" : "failed" };
    },
  };
}
