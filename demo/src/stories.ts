import type { Story } from './stage.ts';

/** The stories of the demo. One is loaded when it is told. */
export const stories = {
  records: async (): Promise<Story> => (await import('./stories/records/story.ts')).tellRecords,
  distribution: async (): Promise<Story> => {
    const { tellDistribution, wholeSize } = await import('./stories/distribution/story.ts');
    return (stage) => tellDistribution(stage, wholeSize);
  },
} as const;

export type StoryName = keyof typeof stories;
