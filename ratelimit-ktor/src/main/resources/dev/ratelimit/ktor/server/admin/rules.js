// The rules in force with what they did, and who and what was denied most.

import { count, percent, rate, visible } from './format.js';
import { byId, keyed, make, setText } from './dom.js';

const NOTHING = { allowed: 0, denied: 0, shadowDenied: 0, denialRate: 0 };
const COLUMNS = [
  ['now', 'Now, a second'],
  ['allowed', 'Allowed'],
  ['denied', 'Denied'],
  ['share', 'Denial rate'],
  ['shadow', 'Shadow'],
];

const lookButton = (of, onClick) => {
  const button = make('button', { type: 'button', className: 'link', text: 'Look', 'aria-label': `Look into ${of}` });
  button.addEventListener('click', onClick);
  return button;
};

export class RulesTable {
  #body = byId('rules').tBodies[0];
  #look;

  // look(rule): when somebody wants to see one of its buckets
  constructor(look) {
    this.#look = look;
  }

  show(rules, counts, rates) {
    const of = new Map(Object.entries(counts));
    byId('rules-empty').hidden = rules.length > 0;
    keyed(this.#body, rules, (rule) => rule.name, (rule) => this.#row(rule.name), (row, rule) => {
      row.badge.hidden = !rule.isShadow;
      keyed(row.limits, limitsOf(rule), ([scope, text]) => `${scope} ${text}`, limitLine, () => {});
      this.#showFigures(row, of.get(rule.name) ?? NOTHING, rates.now(rule.name));
    });
  }

  // What changes each second.
  showNow(rates) {
    for (const row of this.#body.children) setText(row.figures.now, nowText(rates.now(row.keyed)));
  }

  #showFigures({ figures }, its, now) {
    setText(figures.now, nowText(now));
    setText(figures.allowed, count(its.allowed));
    setText(figures.denied, count(its.denied));
    setText(figures.share, percent(its.denialRate));
    setText(figures.shadow, count(its.shadowDenied));
    figures.denied.classList.toggle('some', its.denied > 0);
  }

  #row(name) {
    const badge = make('span', { className: 'badge', text: 'shadow', title: 'Refuses nobody; counts whom it would have refused' });
    const limits = make('ul', { className: 'limits' });
    const figures = Object.fromEntries(
      COLUMNS.map(([id, label]) => [id, make('td', { className: 'number', role: 'cell', 'data-label': label })]),
    );
    const row = make(
      'tr',
      { role: 'row' },
      make('th', { scope: 'row', role: 'rowheader', className: 'name row-name' }, make('bdi', { text: visible(name) }), badge),
      make('td', { role: 'cell', className: 'row-limits' }, limits),
      ...Object.values(figures),
      make('td', { role: 'cell' }, lookButton(`the rule ${visible(name)}`, () => this.#look(name))),
    );
    return Object.assign(row, { badge, limits, figures });
  }
}

const nowText = ({ allowed, denied }) => (denied > 0 ? `${rate(allowed)} + ${rate(denied)} denied` : rate(allowed));

const limitsOf = ({ scopes }) =>
  scopes.flatMap((scope) => [
    ...scope.limits.map((limit) => [scope.name, limit.text]),
    ...Object.entries(scope.tiers).map(([tier, limits]) => [
      `${scope.name}, ${tier}`,
      limits.map((limit) => limit.text).join(' and '),
    ]),
  ]);

const limitLine = ([scope, text]) => make('li', {}, make('b', { text: `${visible(scope)} ` }), make('span', { text }));

// look(key): when somebody wants to see its bucket; isKnown(key): whether there still is one
export function showDenied({ keys, endpoints }, isKnown, look) {
  byId('keys-empty').hidden = keys.length > 0;
  byId('keys').hidden = keys.length === 0;
  byId('endpoints-empty').hidden = endpoints.length > 0;
  byId('endpoints').hidden = endpoints.length === 0;
  keyed(byId('keys').tBodies[0], keys, (it) => JSON.stringify([it.rule, it.scope, it.key]), (it) => keyRow(it, look), (row, it) => {
    setText(row.denied, count(it.denied));
    row.button.hidden = !isKnown(it);
  });
  keyed(byId('endpoints').tBodies[0], endpoints, (it) => it.endpoint, endpointRow, (row, it) => setText(row.denied, count(it.denied)));
}

function keyRow(it, look) {
  const denied = make('td', { className: 'number' });
  const where = make('div', { className: 'fine' }, make('bdi', { text: visible(it.rule) }), ` · ${visible(it.scope)}`);
  const button = lookButton(`the key ${visible(it.key)}`, () => look(it));
  const row = make(
    'tr',
    {},
    make('td', { className: 'name' }, make('bdi', { text: visible(it.key) }), where),
    denied,
    make('td', {}, button),
  );
  return Object.assign(row, { denied, button });
}

function endpointRow({ endpoint }) {
  const denied = make('td', { className: 'number' });
  return Object.assign(make('tr', {}, make('td', { className: 'name' }, make('bdi', { text: visible(endpoint) })), denied), { denied });
}
