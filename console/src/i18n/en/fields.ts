export const fields = {
  /** What is wrong with an input; the service says it in English. */
  text: (_code: string, message: string): string => message,
};
