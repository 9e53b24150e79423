export const theWord = 'zero'
