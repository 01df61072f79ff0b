// Asks the routes beside this page.

const TIMEOUT_MILLIS = 10_000;

// Without the name and password that the page's own address may have been opened with: fetch takes none.
const base = location.origin + location.pathname;

export const urlOf = (path, parameters = {}) => {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
};

// The server has answered, and the answer is no.
export class Refused extends Error {
  constructor(status, detail, retryAfterSeconds) {
    super(detail);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get isForGood() {
    return this.status === 401 || this.status === 403;
  }
}

async function ask(path, parameters, options) {
  const response = await fetch(urlOf(path, parameters), {
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MILLIS),
    ...options,
  });
  const text = await response.text();
  const type = response.headers.get('Content-Type') ?? '';
  const body = type.includes('json') && text !== '' ? JSON.parse(text) : null;
  if (response.ok) return body;
  throw new Refused(
    response.status,
    body?.detail ?? `the server answers ${response.status}`,
    Number(response.headers.get('Retry-After')) || 0,
  );
}

export const get = (path, parameters) => ask(path, parameters, { headers: { Accept: 'application/json' } });

export const post = (path, body) =>
  ask(path, {}, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
