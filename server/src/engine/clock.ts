/**
 * The time of the database, known to a server without asking. Between two checks it goes on by the timer of the process, which nobody sets:
 * a machine with a wrong clock, or one that is corrected, takes no valid token for an expired one.
 */
export class DatabaseClock {
  // Until the first check the clock of this machine has to do.
  #origin = Date.now() - performance.now();

  readonly now = (): Date => new Date(this.#origin + performance.now());

  /**
   * Sets the clock.
   * @param time the answer of the database, between two moments of `performance.now()`
   */
  set(time: Date, askedAt: number, answeredAt: number): void {
    this.#origin = time.getTime() - (askedAt + answeredAt) / 2;
  }
}
