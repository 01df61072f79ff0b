// The figures of all calls, the store's health, and what the charts say in words.

import { clock, count, micros, percent, rate, visible } from './format.js';
import { byId, setText } from './dom.js';

export function showTotals({ totals, minutes, health, isShared }) {
  setText(byId('requests'), count(totals.requests));
  setText(byId('requests-note'), `${count(totals.bypassed)} bypassed, ${count(totals.blocked)} blocked`);
  setText(byId('denied'), count(totals.denied));
  setText(byId('denied-note'), `${percent(totals.denialRate)} of all`);
  setText(byId('per-minute'), rate(totals.requestsPerMinute));
  setText(byId('per-minute-note'), 'on average');
  setText(byId('decision'), micros(totals.decisionTime.meanMicros));
  setText(byId('decision-note'), `${micros(totals.decisionTime.longestMicros)} at most`);
  setText(byId('shadow'), count(totals.shadowDenied));
  setText(byId('failed'), count(totals.failedOpen + totals.failedClosed));
  setText(byId('failed-note'), `${count(totals.failedOpen)} passed, ${count(totals.failedClosed)} refused`);
  setText(byId('whose'), isShared ? 'Counts of all instances that share the store.' : 'Counts of this instance alone.');
  showHealth(health);
  showBusiest(minutes);
}

function showHealth({ store, isUp, roundTripMillis }) {
  const pill = byId('store');
  pill.dataset.state = isUp ? 'good' : 'bad';
  setText(pill, isUp ? `${store}: up, ${micros(roundTripMillis * 1_000)}` : `${store}: does not answer`);
}

function showBusiest(minutes) {
  const calls = ({ at, ...counts }) => Object.values(counts).reduce((sum, n) => sum + n, 0);
  const busiest = minutes.reduce((most, minute) => (most && calls(most) >= calls(minute) ? most : minute), null);
  const text = busiest
    ? `Busiest minute: ${count(calls(busiest))} calls at ${clock(Date.parse(busiest.at))}, ${count(busiest.denied)} of them denied.`
    : 'No calls in this window.';
  setText(byId('history-text'), text);
}

export function showNow({ allowed, denied, shadowDenied }, rule) {
  const trial = shadowDenied > 0 ? `, ${rate(shadowDenied)} in shadow` : '';
  const whom = rule === '' ? 'All calls' : `Rule ${visible(rule)}`;
  setText(byId('live-text'), `${whom}: ${rate(allowed)} allowed and ${rate(denied)} denied a second${trial}, over the last 5 seconds.`);
}
