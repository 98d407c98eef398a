// Doubles a number, in words.
module.exports = (number) => `double ${number * 2}`;
