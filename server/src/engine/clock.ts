/**
 * The time of the database, as a server knows it without asking. Between two looks it goes on by the timer of the process, which
 * nobody sets: a machine whose clock is wrong, or is put right, takes no valid token for an expired one.
 */
export class DatabaseClock {
  // Until the first look the clock of this machine has to do.
  #origin = Date.now() - performance.now();

  readonly now = (): Date => new Date(this.#origin + performance.now());

  /**
   * Sets the clock.
   * @param time what the database answered, between two moments of `performance.now()`
   */
  set(time: Date, askedAt: number, answeredAt: number): void {
    this.#origin = time.getTime() - (askedAt + answeredAt) / 2;
  }
}
