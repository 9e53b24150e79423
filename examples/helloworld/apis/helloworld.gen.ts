import { defineModels, Model } from 'macaron'
export class Hello extends Model<any> { [key: string]: any }
export class Signup extends Model<any> { [key: string]: any }
export class Account extends Model<any> { [key: string]: any }
export class Mail extends Model<any> { [key: string]: any }
defineModels(new URL('./helloworld.yaml', import.meta.url), { Hello, Signup, Account, Mail })
