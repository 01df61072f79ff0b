// Draws with chart.js where it is there; without it the page has its tables and texts.

import { clock, clockWithSeconds, day, dayAndClock, rate } from './format.js';
import { byId } from './dom.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const MOST_POINTS = 180;
const MOST_TICKS = 6;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1_440].map((minutes) => minutes * MINUTE);
const LINES = [
  { name: 'allowed', label: 'Allowed', color: '--allowed', dash: [] },
  { name: 'denied', label: 'Denied', color: '--denied', dash: [6, 3] },
  { name: 'shadowDenied', label: 'Shadow', color: '--shadow', dash: [2, 3] },
];
const dark = matchMedia('(prefers-color-scheme: dark)');

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

class LineChart {
  #chart = null;

  constructor(canvas, timeOf) {
    if (!window.Chart) {
      document.body.classList.add('no-charts');
      return;
    }
    this.#chart = new window.Chart(canvas, {
      type: 'line',
      data: {
        datasets: LINES.map(({ label, dash }) => ({
          label,
          data: [],
          borderDash: dash,
          borderWidth: 2,
          pointRadius: 0,
          pointHitRadius: 8,
          fill: false,
        })),
      },
      options: {
        animation: false,
        parsing: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: 'index', intersect: false },
        scales: {
          x: {
            type: 'linear',
            afterBuildTicks: setTicks,
            ticks: { callback: label, maxRotation: 0, autoSkip: false },
          },
          y: { beginAtZero: true, suggestedMax: 1, ticks: { maxTicksLimit: 6 } },
        },
        plugins: {
          legend: { position: 'bottom', labels: { usePointStyle: true, pointStyle: 'line', pointStyleWidth: 30, generateLabels: dashedLabels } },
          tooltip: {
            callbacks: {
              title: ([item]) => (item ? timeOf(item.parsed.x) : ''),
              label: (item) => ` ${item.dataset.label}: ${rate(item.parsed.y)}`,
            },
          },
        },
      },
    });
    this.#paint();
    dark.addEventListener('change', () => {
      this.#paint();
      this.#chart.update('none');
    });
  }

  show(from, to, pointsOf) {
    if (!this.#chart) return;
    const { data, options } = this.#chart;
    options.scales.x.min = from;
    options.scales.x.max = to;
    LINES.forEach(({ name }, i) => {
      data.datasets[i].data = pointsOf(name);
    });
    this.#chart.update('none');
  }

  #paint() {
    const { data, options } = this.#chart;
    const card = color('--card');
    LINES.forEach((line, i) => {
      Object.assign(data.datasets[i], { borderColor: color(line.color), backgroundColor: card });
    });
    for (const scale of Object.values(options.scales)) {
      scale.grid = { color: color('--line') };
      scale.border = { color: color('--line') };
      scale.ticks.color = color('--soft');
    }
    options.plugins.legend.labels.color = color('--text');
  }
}

// At full hours and minutes of the reader's own clock, and few enough to stand beside each other.
function setTicks(scale) {
  const { min, max } = scale;
  const most = Math.max(2, Math.min(MOST_TICKS, Math.floor(scale.chart.width / 90)));
  const step = STEPS.find((it) => (max - min) / it <= most) ?? STEPS.at(-1) * Math.ceil((max - min) / STEPS.at(-1) / most);
  const offset = new Date(max).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let at = Math.ceil((min - offset) / step) * step + offset; at <= max; at += step) ticks.push({ value: at });
  scale.ticks = ticks;
}

// Lines are told apart by their dashes too, not by color alone.
function dashedLabels(chart) {
  const labels = window.Chart.defaults.plugins.legend.labels.generateLabels(chart);
  return labels.map((it) => ({ ...it, lineWidth: 2, lineDash: LINES[it.datasetIndex].dash }));
}

function label(at) {
  return this.max - this.min > DAY ? day(at) : clock(at);
}

export class LiveChart {
  #chart = new LineChart(byId('live-chart'), clockWithSeconds);

  show(rates, rule) {
    this.#chart.show(rates.at - rates.span, rates.at, (name) => rates.points(rule, name));
  }
}

export class HistoryChart {
  #chart = new LineChart(byId('history-chart'), dayAndClock);

  show({ from, to, minutes }) {
    const start = Date.parse(from);
    const end = Date.parse(to);
    const step = Math.max(1, Math.ceil((end - start) / MINUTE / MOST_POINTS)) * MINUTE;
    this.#chart.show(start, end, (name) => averages(minutes, name, start, end, step));
  }
}

// Calls a minute in each step; minutes without a call are not in the list. The last step counts as far as it goes.
function averages(minutes, name, start, end, step) {
  const points = [];
  for (let x = start; x < end; x += step) points.push({ x, y: 0 });
  for (const minute of minutes) {
    const point = points[Math.floor((Date.parse(minute.at) - start) / step)];
    if (point) point.y += minute[name];
  }
  for (const point of points) point.y /= (Math.min(point.x + step, end) - point.x) / MINUTE;
  const last = points.at(-1);
  // Of its first seconds nothing can be said yet.
  if (points.length > 1 && end - last.x < MINUTE / 4) points.pop();
  return points;
}
