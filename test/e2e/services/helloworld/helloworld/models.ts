/** What every question can do. */
export class Question {
  answer(this: { readonly question: string }): string {
    return `Yes, to "${this.question}"`
  }
}
