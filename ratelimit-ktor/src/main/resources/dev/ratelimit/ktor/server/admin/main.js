// Puts the page's parts together.

import { BucketForm } from './buckets.js';
import { HistoryChart, LiveChart } from './charts.js';
import { Connection } from './connection.js';
import { byId, make, setOptions, setText } from './dom.js';
import { clockWithSeconds, visible } from './format.js';
import { Rates } from './rates.js';
import { RulesTable, showDenied } from './rules.js';
import { Switch } from './switch.js';
import { showNow, showTotals } from './totals.js';

const rates = new Rates();
const liveChart = new LiveChart();
const historyChart = new HistoryChart();
const liveRule = byId('live-rule');

const connection = new Connection({
  counts(json) {
    rates.take(json);
    showLive();
    table.showNow(rates);
  },
  news({ metrics, config: { rules, isEnabled, isSwitchShared } }) {
    showTotals(metrics);
    historyChart.show(metrics);
    setOptions(liveRule, [['', 'All calls'], ...rules.map(({ name }) => [name, visible(name)])]);
    table.show(rules, metrics.rules, rates);
    bucket.rules = rules;
    showDenied(metrics.topDenied, (key) => bucket.isKnown(key), (key) => bucket.look(key));
    emergency.show(isEnabled, isSwitchShared);
  },
  state: showState,
});
const refresh = () => connection.refresh();
const bucket = new BucketForm(refresh);
const emergency = new Switch(refresh);
const table = new RulesTable((rule) => bucket.choose(rule));

function showLive() {
  liveChart.show(rates, liveRule.value);
  showNow(rates.now(liveRule.value), liveRule.value);
}

function showState({ kind, detail, lastNews }) {
  const pill = byId('connection');
  const since = lastNews ? ` Last news at ${clockWithSeconds(lastNews)}.` : '';
  const [state, text, alert] = {
    live: ['good', 'Live', ''],
    polling: ['warn', 'Asking every few seconds', ''],
    lost: ['bad', 'Connection lost', `The connection is lost; trying again.${since}`],
    failing: ['bad', 'No answer', `The server cannot answer: ${detail}. Trying again.${since}`],
    refused: ['bad', 'Not let in', `You are no longer let in: ${detail}.${since}`],
  }[kind];
  pill.dataset.state = state;
  setText(pill, text);
  showAlert(alert, kind === 'refused');
  document.body.classList.toggle('stale', alert !== '');
}

function showAlert(text, isForGood) {
  const alert = byId('alert');
  if (alert.firstChild?.textContent === text) return;
  alert.hidden = text === '';
  alert.replaceChildren(...(text === '' ? [] : [make('p', { text })]));
  if (isForGood) {
    const again = make('button', { type: 'button', text: 'Load the page again' });
    again.addEventListener('click', () => location.reload());
    alert.append(again);
  }
}

liveRule.addEventListener('change', showLive);
byId('window').addEventListener('change', (event) => {
  connection.window = event.target.value;
});
connection.refresh();
