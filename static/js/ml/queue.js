/**
 * One job at a time, latest wins: while a job runs, one other may wait, and a newer one takes its place.
 * @template {{id: number}} Job
 * @param {(job: Job, isStale: () => boolean) => Promise<void>} run must not throw; isStale says that it may stop early
 * @param {(job: Job) => void} dropped told of every job that will have no answer of its own
 */
export function createQueue(run, dropped) {
  let running = null;
  let waiting = null;

  async function drain() {
    while (waiting) {
      running = waiting;
      waiting = null;
      const { id } = running;
      await run(running, () => waiting !== null || running?.id !== id);
    }
    running = null;
  }

  return {
    push(job) {
      if (waiting) dropped(waiting);
      waiting = job;
      if (!running) void drain();
    },
    cancel(id) {
      if (waiting?.id === id) {
        dropped(waiting);
        waiting = null;
      }
    },
    get busy() {
      return running !== null;
    },
  };
}
