// What the test asks on standard input, the client in docs/clients/rota.go answers. See clients_test.cc.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"example/rota"
)

func main() {
	client := rota.New(os.Args[1])
	client.Bearer = os.Getenv("ROTA_TOKEN")
	patience, _ := strconv.ParseFloat(os.Args[2], 64)
	client.Patience = time.Duration(patience * float64(time.Second))
	last := map[string]string{}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		member := rota.Email(words[2])
		switch words[1] {
		case "community_member_id":
			id, _ := strconv.ParseInt(words[2], 10, 64)
			member = rota.ID(id)
		case "sso_user_id":
			member = rota.SSO(words[2])
		}
		refused := ""
		if words[0] == "refused" {
			refused = last[words[2]]
		}
		token, err := client.Token(context.Background(), member, refused)
		var failure *rota.Error
		switch {
		case err == nil:
			last[words[2]] = token
			fmt.Println("token", token)
		case !errors.As(err, &failure):
			fmt.Println("error", err)
		case errors.Is(err, rota.ErrMemberGone):
			fmt.Println("gone", failure.Code)
		default:
			fmt.Println("error", failure.Code, int(failure.RetryAfter.Seconds()))
		}
	}
}
