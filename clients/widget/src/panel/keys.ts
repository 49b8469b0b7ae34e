/** Keys that an input method is still using. Safari ends the composition first, and says so by the code alone. */
export const isComposing = ({ isComposing, keyCode }: KeyboardEvent): boolean => isComposing || keyCode === 229;
