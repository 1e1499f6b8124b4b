let processes = 1;

/**
 * Sets the number of processes of this server. To be called before loading modules that limit their use of processors or connections, of
 * which each process gets a part.
 */
export function divideBy(count: number): void {
  processes = count;
}

/** The share of this process in a limit of the server; at least one. */
export function shareOf(whole: number): number {
  return Math.max(1, Math.floor(whole / processes));
}
