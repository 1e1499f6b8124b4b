type Ending = () => unknown;

const endings: Ending[] = [];

/**
 * Registers an ending to be run after the test file that began something. Hooks cannot do that: one that is set while a hook or a test runs
 * is never called, and files share the modules of a worker, whose hooks belong to the first of them.
 */
export function atEnd(ending: Ending): void {
  endings.push(ending);
}

/** Ends everything that the file has left open, in reverse order. */
export async function endAll(): Promise<void> {
  for (const ending of endings.splice(0).toReversed()) await ending();
}
