// One bucket: what one more call would find there, and forgetting what was used.

import { get, post } from './api.js';
import { confirmed } from './dialogs.js';
import { byId, make, setOptions } from './dom.js';
import { count, seconds, visible } from './format.js';

export class BucketForm {
  #rules = [];
  #rule = byId('bucket-rule');
  #scope = byId('bucket-scope');
  #tier = byId('bucket-tier');
  #key = byId('bucket-key');
  #state = byId('bucket-state');
  #done;

  // done(): when a bucket was reset
  constructor(done) {
    this.#done = done;
    for (const select of [this.#rule, this.#scope, this.#tier]) select.addEventListener('change', () => this.#changed());
    byId('bucket').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#peek();
    });
    byId('reset').addEventListener('click', () => this.#reset());
  }

  set rules(rules) {
    this.#rules = rules;
    this.#fill();
  }

  isKnown({ rule, scope }) {
    return this.#scopesOf(rule).some(({ name }) => name === scope);
  }

  // Shows the bucket of a key that was denied.
  look({ rule, scope, key }) {
    this.#choose(rule, scope);
    this.#key.value = key;
    this.#goThere();
    this.#peek();
  }

  // Takes the reader to the form, with this rule.
  choose(rule) {
    this.#choose(rule);
    this.#goThere();
  }

  #choose(rule, scope) {
    this.#rule.value = rule;
    this.#changed();
    if (scope === undefined) return;
    this.#scope.value = scope;
    this.#changed();
  }

  #goThere() {
    byId('bucket').scrollIntoView({ block: 'center' });
    (byId('bucket-key-label').hidden ? byId('peek') : this.#key).focus({ preventScroll: true });
  }

  #scopesOf(rule) {
    return this.#rules.find(({ name }) => name === rule)?.scopes ?? [];
  }

  #chosenScope() {
    return this.#scopesOf(this.#rule.value).find(({ name }) => name === this.#scope.value);
  }

  #changed() {
    this.#state.replaceChildren();
    this.#fill();
  }

  #fill() {
    setOptions(this.#rule, this.#rules.map(({ name }) => [name, visible(name)]));
    setOptions(this.#scope, this.#scopesOf(this.#rule.value).map(({ name }) => [name, name]));
    const scope = this.#chosenScope();
    setOptions(this.#tier, Object.keys(scope?.tiers ?? {}).map((tier) => [tier, tier]));
    byId('bucket-tier-label').hidden = this.#tier.options.length === 0;
    byId('bucket-key-label').hidden = !scope?.hasKeys;
    this.#key.required = Boolean(scope?.hasKeys);
    byId('bucket-key-note').textContent = noteOf(scope);
    byId('peek').disabled = byId('reset').disabled = !scope;
  }

  #asked() {
    const asked = { rule: this.#rule.value, scope: this.#scope.value };
    if (this.#chosenScope()?.hasKeys) asked.key = this.#key.value;
    return asked;
  }

  async #peek() {
    const asked = this.#asked();
    if (this.#tier.options.length > 0) asked.tier = this.#tier.value;
    await this.#show(async () => (await get('peek', asked)).limits.map(limitState));
  }

  async #reset() {
    if (!byId('bucket').reportValidity()) return;
    const asked = this.#asked();
    const whose = 'key' in asked ? `of the key “${visible(asked.key)}”` : 'of all callers together';
    const text = `What was used at the rule “${visible(asked.rule)}”, scope “${asked.scope}”, ${whose}, is forgotten.`;
    if (!(await confirmed('Reset this bucket?', text, 'Reset'))) return;
    await this.#show(async () => {
      await post('reset', asked);
      return [make('p', { className: 'state', text: 'Reset: the bucket is as if it had never been used.' })];
    });
    this.#done();
  }

  async #show(parts) {
    this.#state.setAttribute('aria-busy', 'true');
    try {
      this.#state.replaceChildren(...(await parts()));
    } catch (error) {
      this.#state.replaceChildren(make('p', { className: 'state failure', text: `That did not work: ${error.message}` }));
    }
    this.#state.removeAttribute('aria-busy');
  }
}

function noteOf(scope) {
  if (!scope) return '';
  if (!scope.hasKeys) return 'One bucket for all: there is no key.';
  return scope.isSecret ? 'A key of this scope may be a secret: write the hash that is shown of it.' : '';
}

function limitState({ limit, isAllowed, remaining, retryAfterSeconds, resetAfterSeconds, delaySeconds }, index) {
  const id = `bucket-limit-${index}`;
  const verdict = isAllowed ? 'The next call is allowed' : `The next call is denied; again in ${seconds(retryAfterSeconds)}`;
  const turn = delaySeconds > 0 ? `, after a wait of ${seconds(delaySeconds)}` : '';
  const full = resetAfterSeconds > 0 ? ` As if never used in ${seconds(resetAfterSeconds)}.` : '';
  return make(
    'div',
    { className: 'state' },
    make('p', { id }, make('b', { text: limit.text }), `: ${count(remaining)} of ${count(limit.burst)} left`),
    make('meter', { 'aria-labelledby': id, min: 0, max: limit.burst, low: limit.burst / 4, optimum: limit.burst, value: remaining }),
    make('p', { className: isAllowed ? 'fine' : 'fine denied', text: `${verdict}${turn}.${full}` }),
  );
}
