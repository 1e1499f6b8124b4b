/** Holds api/openapi.json against the rules in redocly.yaml; a warning counts as an error. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createConfig, formatProblems, getTotals, lint } from '@redocly/openapi-core';

const root = path.dirname(import.meta.dirname);
// The rules are read here, since the linter's own search for them also looks for a log-in at its maker.
const config = await createConfig(readFileSync(path.join(root, 'redocly.yaml'), 'utf8'));
const problems = await lint({ ref: path.join(root, 'api/openapi.json'), config });
formatProblems(problems, { format: 'codeframe', cwd: root, totals: getTotals(problems), version: '' });
if (problems.length > 0) {
  console.error(
    'Mend the fragments in api/contract and run `npm run generate`. The rules are in redocly.yaml.',
  );
  process.exitCode = 1;
}
