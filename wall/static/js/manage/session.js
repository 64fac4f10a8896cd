// Who is signed in, and how the server is asked: what changes something goes with the session's CSRF token.

let session = { account: null, csrf: "", first: false };

export const account = () => session.account;

/** What the server refused; `reason` is a word that there is a sentence for. */
export class Refused extends Error {
  constructor(status, reason, detail) {
    super(detail);
    this.status = status;
    this.reason = reason;
  }
}

/** Ask the server; answers with what it says, or throws a Refused. */
export async function ask(method, path, body) {
  const changes = method !== "GET";
  const response = await fetch(`/api/${path}`, {
    method,
    headers: changes ? { "x-csrf-token": session.csrf || "none", "content-type": "application/json" } : {},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const said = text && response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null;
  if (!response.ok) throw new Refused(response.status, said?.extra?.reason ?? null, said?.detail ?? "");
  return said;
}

/** As `ask`, for what gives, changes or ends a session. */
export async function enter(method, path, body) {
  session = await ask(method, path, body);
  return session;
}

export const look = () => enter("GET", "session");
