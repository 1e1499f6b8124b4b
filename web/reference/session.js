import { byId } from './dom.js';

const place = 'millrace-token';

/** The token that requests from this page carry; it ends with the browser tab. */
export function currentToken() {
  return sessionStorage.getItem(place) ?? undefined;
}

/** Lets the reader log in, so that requests can be tried. */
export function prepareLogIn() {
  const dialog = /** @type {HTMLDialogElement} */ (byId('log-in'));
  const form = /** @type {HTMLFormElement} */ (byId('log-in-form'));
  byId('session').addEventListener('click', () => (currentToken() ? forget() : dialog.showModal()));
  byId('log-in-cancel').addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void logIn(form).then((problem) => {
      byId('log-in-problem').textContent = problem;
      if (!problem) dialog.close();
    });
  });
  showSession();
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<string>} what went wrong; empty when nothing did
 */
async function logIn(form) {
  const response = await fetch('v2/authentication', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  }).catch(() => undefined);
  if (!response) return 'The server cannot be reached.';
  const answer = await response.json();
  if (!response.ok) return answer.message;
  form.reset();
  keep(answer.token, answer.user.username);
  return '';
}

/**
 * @param {string} token
 * @param {string} username
 */
function keep(token, username) {
  sessionStorage.setItem(place, token);
  sessionStorage.setItem(`${place}-of`, username);
  showSession();
}

/** Forgets the token; also when the server does not take it any more. */
export function forget() {
  sessionStorage.removeItem(place);
  sessionStorage.removeItem(`${place}-of`);
  showSession();
}

function showSession() {
  const username = sessionStorage.getItem(`${place}-of`) ?? '';
  byId('session').textContent = currentToken() ? `Log out ${username}` : 'Log in';
}
