import type { Story } from './stage.ts';

/** The stories of the demo. They are loaded when they are told: the command line starts quickly. */
export const stories = {
  records: {
    about:
      '5,000 credit applications from a CSV file go through a queue, processed by three runners, one of which is killed half-way.',
    load: async (): Promise<Story> => (await import('./stories/records/story.ts')).tellRecords,
  },
  distribution: {
    about:
      'Four queues share the eight devices of two pools. One device is quarantined, one dies past the point of no return, and ' +
      'the server says why things do not run.',
    load: async (): Promise<Story> => {
      const { tellDistribution, wholeSize } = await import('./stories/distribution/story.ts');
      return (stage) => tellDistribution(stage, wholeSize);
    },
  },
} as const;

export type StoryName = keyof typeof stories;
