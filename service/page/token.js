// The access tokens of this tab, and the question for one.

import { byId } from "./dom.js";

const REASONS = {
  predict: "This service answers only those who have its access token.",
  feedback: "For true labels, this service wants a token of its own.",
};

/** The token for this kind of request, or null. One for answers may do for the truth, too. */
export function kept(kind) {
  return sessionStorage.getItem(`noria-${kind}`) ?? sessionStorage.getItem("noria-predict");
}

/** Ask the person. True: there is a new token to try; false: it was cancelled. */
export function askForToken(kind, refused) {
  const dialog = byId("token");
  const form = byId("token-form");
  const input = byId("token-input");
  const problem = byId("token-problem");
  byId("token-reason").textContent = REASONS[kind];
  problem.textContent = refused ? "The service does not accept the token so far." : "";
  input.value = "";
  return new Promise((resolve) => {
    const listeners = new AbortController();
    const end = (done) => {
      listeners.abort();
      dialog.close();
      resolve(done);
    };
    const { signal } = listeners;
    form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        const token = input.value.trim();
        problem.textContent = wrong(token);
        if (problem.textContent) return input.focus();
        sessionStorage.setItem(`noria-${kind}`, token);
        end(true);
      },
      { signal },
    );
    byId("token-cancel").addEventListener("click", () => end(false), { signal });
    dialog.addEventListener("cancel", () => end(false), { signal });
    dialog.showModal();
    input.focus();
  });
}

function wrong(token) {
  if (token === "") return "Enter the token.";
  return /^[\x21-\x7e]+$/.test(token) ? "" : "A token has no spaces and no letters with accents.";
}
