// Keeps the page informed: the figures are asked for every few seconds; the counts come as a stream, or are asked for too while it is down.
// Whatever breaks, it goes on trying, and says so meanwhile; only who is no longer let in has to come back by themselves.

import { get, Refused, urlOf } from './api.js';

const POLL_MILLIS = 5_000;
const LONGEST_PAUSE_MILLIS = 15_000;
const STREAM_AGAIN_MILLIS = 30_000;
const SILENCE_MILLIS = 5_000;

export class Connection {
  #listener;
  #window = '1h';
  #timer = null;
  #turn = 0;
  #failures = 0;
  #stream = null;
  #lastEvent = 0;
  #streamNotBefore = 0;
  #lastNews = null;
  #isOver = false;

  // listener: news({ metrics, config }), counts(json), state({ kind, detail, lastNews })
  constructor(listener) {
    this.#listener = listener;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#pause() : this.refresh()));
    addEventListener('online', () => this.refresh());
  }

  set window(value) {
    this.#window = value;
    this.refresh();
  }

  // Asks now; an answer that is still on its way to an earlier question is dropped.
  refresh() {
    if (this.#isOver) return;
    clearTimeout(this.#timer);
    this.#poll(++this.#turn);
  }

  async #poll(turn) {
    this.#openStream();
    const [answers, failure] = await this.#ask();
    if (turn !== this.#turn) return;
    const pause = failure ? this.#failed(failure) : this.#answered(answers);
    if (!this.#isOver && !document.hidden) this.#timer = setTimeout(() => this.refresh(), pause);
  }

  async #ask() {
    try {
      const questions = [get('metrics', { window: this.#window }), get('config')];
      if (!this.#isLive()) questions.push(get('metrics/real-time'));
      return [await Promise.all(questions), null];
    } catch (error) {
      return [null, error];
    }
  }

  #answered([metrics, config, counts]) {
    this.#failures = 0;
    this.#lastNews = new Date();
    this.#tell({ kind: this.#isLive() ? 'live' : 'polling' });
    this.#listener.news({ metrics, config });
    if (counts && !this.#isLive()) this.#listener.counts(counts);
    return POLL_MILLIS;
  }

  #failed(error) {
    this.#failures++;
    const pause = Math.min(LONGEST_PAUSE_MILLIS, 1_000 * 2 ** (this.#failures - 1));
    if (!(error instanceof Refused)) {
      this.#tell(error instanceof SyntaxError ? { kind: 'failing', detail: 'the answer makes no sense' } : { kind: 'lost' });
      return pause;
    }
    if (error.isForGood) this.#end();
    this.#tell({ kind: error.isForGood ? 'refused' : 'failing', detail: error.message });
    return Math.max(pause, error.retryAfterSeconds * 1_000);
  }

  #tell(state) {
    this.#listener.state({ ...state, lastNews: this.#lastNews });
  }

  #isLive() {
    return this.#stream?.readyState === EventSource.OPEN && Date.now() - this.#lastEvent < SILENCE_MILLIS;
  }

  #openStream() {
    if (this.#isLive() || Date.now() < this.#streamNotBefore) return;
    // One that is being opened, or opened again after it broke off, gets its time too.
    this.#streamNotBefore = Date.now() + STREAM_AGAIN_MILLIS;
    this.#closeStream();
    const stream = new EventSource(urlOf('metrics/real-time/stream'));
    stream.onmessage = (event) => {
      const wasLive = this.#isLive();
      this.#lastEvent = Date.now();
      this.#lastNews = new Date();
      this.#listener.counts(JSON.parse(event.data));
      if (wasLive) return;
      // The server is back before the next look at it: no need to wait for that.
      if (this.#failures > 0) this.refresh();
      else this.#tell({ kind: 'live' });
    };
    stream.onerror = () => {
      if (this.#lastEvent === 0) return;
      this.#lastEvent = 0;
      this.refresh();
    };
    this.#stream = stream;
  }

  #closeStream() {
    this.#stream?.close();
    this.#stream = null;
    this.#lastEvent = 0;
  }

  #pause() {
    this.#turn++;
    clearTimeout(this.#timer);
    this.#closeStream();
    this.#streamNotBefore = 0;
  }

  #end() {
    this.#isOver = true;
    this.#closeStream();
  }
}
