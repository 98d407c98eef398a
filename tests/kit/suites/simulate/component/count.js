Component({
  data: { open: '…', last: '' },
  lifetimes: {
    attached() {
      const todos = wx.cloud.database().collection('todos');
      this.watch = todos.where({ done: false }).watch({
        onChange: ({ docs }) => this.setData({ open: docs.length }),
        onError: (error) => this.setData({ open: error.message }),
      });
    },
    detached() {
      this.watch.close();
    },
  },
  methods: {
    add() {
      return wx.cloud
        .callFunction({ name: 'addTodo', data: { title: '买菜' } })
        .then(({ result }) => this.setData({ last: result._openid }));
    },
  },
});
