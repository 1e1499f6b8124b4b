import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const base =
  /node_modules[/](react|react-dom|scheduler|@tanstack[/](history|store|react-store|(react-)?router(-core)?|(react-)?query(-core)?))[/]|lucide-react[/].*(Icon|utils|context)|web[/]src[/](connection|messages|page|preferences|store|theme)[/]|api[/]src[/]/;

/** Lays each text that browsers load down compressed as well, beside itself: the server sends it so to whoever takes it. */
const compressed: Plugin = {
  name: 'compressed',
  writeBundle({ dir = '' }, bundle) {
    const texts = Object.keys(bundle).filter((name) => /^assets[/].*[.](js|css|svg)$/.test(name));
    for (const file of texts.map((name) => path.join(dir, name))) {
      const text = readFileSync(file);
      writeFileSync(`${file}.br`, brotliCompressSync(text));
      writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }));
    }
  },
};

/** Builds the console, which the server serves under /console/ with what the build leaves in dist/. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  // The lint looks at the sources already.
  logLevel: 'warn',
  plugins: [react(), compressed],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // The policy of the page lets in no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    // Split by pages, the styles would be twice as many bytes: small files compress badly.
    cssCodeSplit: false,
    // The code that every page needs is one script; the rest is split by the pages that use it.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'base', test: base }] } } },
  },
  worker: { format: 'es' },
  server: { proxy: { '^/(v2|v4|health|docs|openapi.json)': 'http://127.0.0.1:8080' } },
});
