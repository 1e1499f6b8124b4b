let processes = 1;

/**
 * Says how many processes this server has. To be called before anything is loaded that bounds its use of processors or connections, of
 * which each process gets a part.
 */
export function divideBy(count: number): void {
  processes = count;
}

/** The part of this process in what a server may do at once; at least one. */
export function shareOf(whole: number): number {
  return Math.max(1, Math.floor(whole / processes));
}
