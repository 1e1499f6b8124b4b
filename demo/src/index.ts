/** Stories that show Millrace at work. The command line tells them, and lends its terminal. */
export { play } from './play.ts';
export { stories, type StoryName } from './stories.ts';
