/* Proof of work: the answer to a challenge, found in a worker so that the page stays quick. */

/* Return what the form field `altcha` wants: the solution as base64 of JSON. */
export function solveProof(challenge) {
  const address = document.querySelector("[data-proof-worker]").dataset.proofWorker;
  const worker = new Worker(address);
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = () => resolve("");
    worker.postMessage(challenge);
  }).finally(() => worker.terminate());
}
