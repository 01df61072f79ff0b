// How values are written.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const timeWithSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dateAndTime = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

export const count = (n) => whole.format(n);
export const percent = (part) => share.format(part);
export const rate = (n) => (n >= 100 ? whole : tenths).format(n);
export const clock = (at) => time.format(at);
export const clockWithSeconds = (at) => timeWithSeconds.format(at);
export const day = (at) => date.format(at);
export const dayAndClock = (at) => dateAndTime.format(at);

export function micros(n) {
  if (n < 1_000) return `${(n < 10 ? tenths : whole).format(n)} µs`;
  return n < 1_000_000 ? `${tenths.format(n / 1_000)} ms` : `${tenths.format(n / 1_000_000)} s`;
}

export function seconds(n) {
  if (n < 1) return `${whole.format(Math.ceil(n * 1_000))} ms`;
  const s = Math.ceil(n);
  if (s < 120) return `${s} s`;
  if (s < 7_200) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return s < 172_800 ? `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min` : `${whole.format(s / 86_400)} days`;
}

// Characters that cannot be seen, or that turn the text around them, are written out: what clients send is shown as it is.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

export const visible = (text) =>
  text === '' ? '(empty)' : text.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
