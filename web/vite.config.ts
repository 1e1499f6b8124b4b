import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const base =
  /node_modules[/](react|react-dom|scheduler|@tanstack[/](history|store|react-store|(react-)?router(-core)?|(react-)?query(-core)?))[/]|lucide-react[/].*(Icon|utils|context)|web[/]src[/](connection|messages|page|preferences|store|theme)[/]|api[/]src[/]/;

/** Builds the console, which the server serves under /console/ with what the build leaves in dist/. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  // The lint looks at the sources already.
  logLevel: 'warn',
  plugins: [react()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // The policy of the page lets in no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    // What every page stands on is one script; the rest is split by the pages that use it.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'base', test: base }] } } },
  },
  worker: { format: 'es' },
  server: { proxy: { '^/(v2|v4|health|docs|openapi.json)': 'http://127.0.0.1:8080' } },
});
