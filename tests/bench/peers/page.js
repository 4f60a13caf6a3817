/**
 * The contenders, each in a module worker of its own. The bench calls globalThis.peers.
 *
 * A contender answers check([title, description]), or check([query]), with {ms, scores, pieces}; ms is the time inside
 * its worker, scores what it found: shares of the policies, or of query-tower the numbers of a vector.
 */

const open = {
  /** Our model through the page's own client, as the sell form starts it. */
  async "listing-text"() {
    const { createClient } = await import("/static/js/ml/client.js");
    const client = createClient({ workerUrl: "/static/js/ml/worker.js", manifestUrl: "/api/models/manifest" });
    return {
      async check([title, description]) {
        const answer = await client.check([
          ["title", title],
          ["description", description],
        ]);
        if (answer.status !== "verdict") throw new Error(JSON.stringify(answer));
        return { ms: answer.verdict.ms, scores: Object.values(answer.verdict.scores), pieces: null };
      },
    };
  },
  async "query-tower"() {
    const { createClient } = await import("/static/js/ml/client.js");
    const client = createClient({ workerUrl: "/static/js/ml/worker.js", manifestUrl: "/api/models/manifest" });
    return {
      async check([query]) {
        const answer = await client.embedQuery(query);
        if (!answer.vector) throw new Error(JSON.stringify(answer));
        return { ms: answer.workerMs, scores: Array.from(answer.vector), pieces: null };
      },
    };
  },
  transformers: () => openWorker("transformers", "asyncify"),
  "transformers-plain": () => openWorker("transformers", "plain"),
  floor: () => openWorker("floor"),
};

/** @param {string} [name] the worker's own; Transformers.js learns its runtime from it */
function openWorker(file, name) {
  const worker = new Worker(`/peers/${file}.worker.js`, { type: "module", name });
  return {
    check: (fields) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
        worker.onerror = (event) => reject(new Error(event.message || "The worker did not start."));
        worker.postMessage(fields.join("\n"));
      }),
  };
}

globalThis.peers = {
  /** Milliseconds from nothing loaded to the first answer. */
  async start(name, text) {
    const began = performance.now();
    const contender = await open[name]();
    await contender.check(text);
    return performance.now() - began;
  },

  /**
   * Each text to each contender in turn.
   * @returns {Promise<Array<Object<string, {worker: number, page: number, scores: number[], pieces: ?number}>>>}
   */
  async turns(names, texts) {
    const contenders = {};
    for (const name of names) contenders[name] = await open[name]();
    const rounds = [];
    for (const text of texts) {
      const round = {};
      for (const name of names) {
        const began = performance.now();
        const { ms, scores, pieces } = await contenders[name].check(text);
        round[name] = { worker: ms, page: performance.now() - began, scores, pieces };
      }
      rounds.push(round);
    }
    return rounds;
  },
};
