/**
 * One job at a time. push(): latest wins, one such job may wait and a newer one takes its place. append(): waits its
 * turn behind whatever waits; what was pushed goes first, for it answers somebody who is typing.
 * @template {{id: number}} Job
 * @param {(job: Job, isStale: () => boolean) => Promise<void>} run must not throw; isStale says that it may stop early
 * @param {(job: Job) => void} dropped told of every job that will have no answer of its own
 */
export function createQueue(run, dropped) {
  let running = null;
  let latest = null;
  let line = [];

  function next() {
    const job = latest ?? line.shift() ?? null;
    if (job === latest) latest = null;
    return job;
  }

  async function drain() {
    for (let job = next(); job; job = next()) {
      const isLatest = !job.inLine;
      running = job;
      await run(job.job, () => running !== job || (isLatest && latest !== null));
    }
    running = null;
  }

  function start() {
    if (!running) void drain();
  }

  return {
    push(job) {
      if (latest) dropped(latest.job);
      latest = { job, inLine: false };
      start();
    },
    append(job) {
      line.push({ job, inLine: true });
      start();
    },
    cancel(id) {
      for (const waiting of [latest, ...line]) if (waiting?.job.id === id) dropped(waiting.job);
      if (latest?.job.id === id) latest = null;
      line = line.filter(({ job }) => job.id !== id);
    },
    get busy() {
      return running !== null;
    },
  };
}
