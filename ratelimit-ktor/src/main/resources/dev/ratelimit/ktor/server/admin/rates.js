// From counts since the start of an instance to calls a second, now and in the last minutes.

const SPAN_MILLIS = 5 * 60_000;
const RECENT_MILLIS = 5_000;
// Longer than between two looks: what happened meanwhile cannot be said of any second.
const GAP_MILLIS = 12_000;
// Less than between two events: of a few calls in no time a rate would be a fairy tale.
const LEAST_MILLIS = 500;
const NOTHING = { allowed: 0, denied: 0, shadowDenied: 0 };

export class Rates {
  #instance = null;
  #at = 0;
  // By rule: as they were at the last sample, and as they are.
  #known = new Map();
  #latest = new Map();
  // { at, millis, calls: Map of rule to what happened in those milliseconds }, oldest first; without calls after a gap.
  #samples = [];

  // The latest time of the server.
  get at() {
    return this.#at;
  }

  get span() {
    return SPAN_MILLIS;
  }

  take({ instance, at, all, rules }) {
    if (instance !== this.#instance) this.#latest.clear();
    for (const [rule, its] of Object.entries(rules)) this.#latest.set(rule, its);
    this.#latest.set('', all);
    const millis = at - this.#at;
    if (instance === this.#instance && millis < LEAST_MILLIS) return;
    if (instance !== this.#instance || millis > GAP_MILLIS) {
      if (this.#instance !== null) this.#samples.push({ at, millis: 0, calls: null });
    } else {
      const calls = new Map();
      for (const [rule, now] of this.#latest) calls.set(rule, difference(now, this.#known.get(rule) ?? NOTHING));
      this.#samples.push({ at, millis, calls });
    }
    this.#known = new Map(this.#latest);
    this.#instance = instance;
    this.#at = at;
    while (this.#samples.length > 0 && this.#samples[0].at < at - SPAN_MILLIS) this.#samples.shift();
  }

  // A second, over the last few seconds; '' for all calls.
  now(rule) {
    let millis = 0;
    const sum = { ...NOTHING };
    for (const sample of this.#samples) {
      if (sample.at <= this.#at - RECENT_MILLIS || !sample.calls) continue;
      millis += sample.millis;
      for (const name of Object.keys(sum)) sum[name] += (sample.calls.get(rule) ?? NOTHING)[name];
    }
    for (const name of Object.keys(sum)) sum[name] = millis === 0 ? 0 : (sum[name] * 1_000) / millis;
    return sum;
  }

  // For the chart: a second, in each sample.
  points(rule, name) {
    return this.#samples.map(({ at, millis, calls }) => ({
      x: at,
      y: calls ? ((calls.get(rule) ?? NOTHING)[name] * 1_000) / millis : NaN,
    }));
  }
}

const difference = (now, before) =>
  Object.fromEntries(Object.keys(NOTHING).map((name) => [name, Math.max(0, now[name] - before[name])]));
