import { ApiError, ConnectionError } from '@millrace/api';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './styles/tokens.css';
import './styles/base.css';
import { resumeSession } from './connection/client.ts';
import { queryClient } from './connection/query.ts';
import { followSession } from './live/feed.ts';
import { showPreferences } from './preferences/queries.ts';
import { router } from './router.tsx';
import { showTheme } from './theme/theme.ts';

showTheme();
showPreferences();
const place = document.getElementById('root');
if (!place) throw new Error('The page has no place for the console.');
// An unreachable server must not keep the page from saying so.
await resumeSession().catch(() => undefined);
followSession();
// Refusals and an unreachable server are on the page; defects must reach developers as well.
const isTold = (error: unknown) => error instanceof ApiError || error instanceof ConnectionError;
const onCaughtError = (error: unknown) => (isTold(error) ? undefined : reportError(error));
createRoot(place, { onCaughtError }).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
